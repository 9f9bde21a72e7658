"""Content and emotion pulled apart by cross-reconstruction (EVP, section 3.1): the second stage of training."""
