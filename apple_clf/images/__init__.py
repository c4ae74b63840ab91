"""Files and pixels of any kind -> the pixels that a network sees."""
