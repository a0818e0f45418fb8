"""What lesson 09 alone needs: messages to compress, figures of what that gives and costs, its exercises."""
