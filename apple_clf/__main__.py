"""`apple-clf` and `python -m apple_clf`."""

from apple_clf.cli import main

if __name__ == "__main__":
    main()
