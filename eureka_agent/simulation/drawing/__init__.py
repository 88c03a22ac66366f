"""Pictures of a scene without OpenGL: MuJoCo's geoms, projected and shaded with NumPy."""
