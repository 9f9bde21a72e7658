"""The original system's files, and vid2vid's, in this project: read safely, converted once, run like its own."""
