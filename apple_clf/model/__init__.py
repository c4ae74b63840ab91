"""ModelConfig -> keras.Model."""
