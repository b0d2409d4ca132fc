"""Iterated function systems and partitioned ones: attractors, image coding, and systems with prescribed constants.

An IFS has one compact set K = f_1(K) u ... u f_M(K); a PIFS maps each patch from another, W(x)_k = A_k x_{s(k)} + b_k.

>>> import numpy as np
>>> cantor = IFS(np.full((2, 1, 1), 1 / 3), [[0.0], [2 / 3]])
>>> cantor.is_contractive(), round(similarity_dimension([1 / 3, 1 / 3]), 6)
(True, 0.63093)
"""

from pifs_sim.fractals import gallery
from pifs_sim.fractals.affinity import AffinityDimension, affinity_dimension
from pifs_sim.fractals.contraction import Contraction
from pifs_sim.fractals.dimensions import SimilarityDimension, similarity_dimension
from pifs_sim.fractals.encoder import encode
from pifs_sim.fractals.grey import psnr
from pifs_sim.fractals.ifs import IFS
from pifs_sim.fractals.ifs_chaos import log_density
from pifs_sim.fractals.layout import Layout
from pifs_sim.fractals.pifs import PIFS, Collage
from pifs_sim.fractals.quantiser import Quantiser
from pifs_sim.fractals.synthetic import AffinePIFS, random_pifs, spectral_pifs

__all__ = [
    "IFS",
    "PIFS",
    "AffinePIFS",
    "AffinityDimension",
    "Collage",
    "Contraction",
    "Layout",
    "Quantiser",
    "SimilarityDimension",
    "affinity_dimension",
    "encode",
    "gallery",
    "log_density",
    "psnr",
    "random_pifs",
    "similarity_dimension",
    "spectral_pifs",
]


def __dir__() -> list[str]:
    return list(__all__)
