"""Training curves and results for TensorBoard, Weights & Biases and MLflow."""
