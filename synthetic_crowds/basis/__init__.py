"""The shapes that people are made of: MakeHuman's, as two compact files."""
