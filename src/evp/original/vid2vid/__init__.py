"""vid2vid as the original uses it: edge maps of a face, and the network that makes pictures of them."""
