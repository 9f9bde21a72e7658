"""Generated films against recorded ones: films in, figures and reports out."""
