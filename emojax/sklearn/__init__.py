"""Estimators for scikit-learn: embeddings of a trained model, and adaptation to own labels.

X is a list of recordings as for :meth:`emojax.Model.predict_many`, or a column of paths.
"""

from emojax.sklearn.classifier import EmotionClassifier
from emojax.sklearn.embedding import EmbeddingTransformer

__all__ = ["EmbeddingTransformer", "EmotionClassifier"]
