"""What lesson 10 alone needs: a herd of clients, its figure, the look of a page, its exercises."""
