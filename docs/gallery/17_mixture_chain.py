r"""A chain of a mixture, as an animation
=====================================

Six hundred points run from pure noise to a mixture of five normals on a ring. The points keep their colour, that of
the cluster they end in: basins of the chain are cones at pure noise, with sharp edges at which a rounding decides.
"""

import base64
import io

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from pifs_sim.diffusion import Chain, exact_denoiser, measures, schedules

turns = 2 * np.pi * np.arange(5) / 5
means = 2 * np.stack([np.cos(turns), np.sin(turns)], axis=1)
law = measures.Mixture(np.full(5, 0.2), means, np.full(5, 0.02))
chain = Chain(schedules.cosine(40), exact_denoiser(law))
path = chain.trajectory(np.random.default_rng(0).standard_normal((600, 2)))
ends = np.linalg.norm(path[0][:, None] - means, axis=2).argmin(axis=1)

# %%
# Five frames of it side by side.

figure = Figure(figsize=(8, 1.9))
panels = figure.subplots(1, 5, gridspec_kw={"wspace": 0.04})
figure.subplots_adjust(0.01, 0.01, 0.99, 0.87)
for axes, t in zip(panels, (40, 25, 15, 8, 0), strict=True):
    axes.scatter(*path[t].T, c=ends, s=3, cmap="Set1")
    axes.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), aspect="equal", xticks=[], yticks=[])
    axes.set_title(f"t = {t}", fontsize=9)
figure.set_label("A cloud of points in five colours parts into five small clusters on a ring, from t = 40 to t = 0.")

# %%
# All frames, as an animated picture.


def frame(t: int) -> Image.Image:
    """The points at one step."""
    drawing = Figure(figsize=(2.6, 2.6), dpi=100)
    axes = drawing.add_axes((0, 0, 1, 1))
    axes.scatter(*path[t].T, c=ends, s=4, cmap="Set1")
    axes.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2))
    axes.set_axis_off()
    canvas = FigureCanvasAgg(drawing)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3]).quantize(16)


class Animation:
    """Shown by notebooks and by this page."""

    def _repr_html_(self) -> str:
        buffer = io.BytesIO()
        frames = [frame(t) for t in range(40, -1, -2)]
        frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:] + frames[-1:] * 6, duration=140, loop=0)
        data = base64.b64encode(buffer.getvalue()).decode()
        words = "The points move from one round cloud to five clusters on a ring."
        return f'<img src="data:image/gif;base64,{data}" width="260" height="260" alt="{words}">'


Animation()
