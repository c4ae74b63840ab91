"""Run -> its model in a form for elsewhere, compared with Keras before it is kept."""

from apple_clf.exporting.writing import FORMATS, Exported, default_target, export

__all__ = ["FORMATS", "Exported", "default_target", "export"]
