"""Bodies: skinned, dressed and walking."""
