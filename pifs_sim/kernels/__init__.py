"""Hot loops: one room each, with a NumPy reference that is the law and faster backends that must agree with it."""
