"""What lesson 12 needs: conformance cases, what servers cost, and the parts of a server."""
