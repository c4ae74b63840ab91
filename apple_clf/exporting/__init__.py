"""Run -> its model for use elsewhere, compared with Keras before it is kept."""
