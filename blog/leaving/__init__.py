"""What the end of an account means for what that person has written: somebody else has it, or nobody."""
