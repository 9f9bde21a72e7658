"""What the verbs of the command line do: each a thin door to one function of the library."""
