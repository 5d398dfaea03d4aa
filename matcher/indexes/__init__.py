"""The gallery indexes, one a module; importing this package registers them."""

from matcher.indexes import exact, faiss_flat, faiss_hnsw, faiss_ivf, faiss_sq, sharded

__all__ = ["exact", "faiss_flat", "faiss_hnsw", "faiss_ivf", "faiss_sq", "sharded"]
