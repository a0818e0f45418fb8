"""What lesson 08 needs: two pages on two ports, the right answers, one figure, the exercises."""
