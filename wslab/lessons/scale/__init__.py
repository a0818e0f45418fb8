"""What lesson 11 alone needs: a log server, workers that are killed, a crowd that counts, limits, a door."""
