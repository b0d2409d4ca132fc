r"""The dimension of a photograph's patches
=======================================

The Kaplan–Yorke dimension of the exponents :math:`\Lambda(\lambda_i)`: how many directions can be expanded and
contracted together before volumes shrink. With all 192 eigenvalues of a photograph's 8 × 8 × 3 patches it is about
10.5. Give every direction of a patch the leading eigenvalue, as the paper's summaries do, and it saturates at 192.
"""

from experiments import figures, quantities
from pifs_sim.diffusion import schedules, spectra

patches = spectra.patch_spectrum(spectra.default_photograph(), 8)
rows = [
    quantities.of_spectrum(chain, patches.eigenvalues) for chain in (schedules.linear(1000), schedules.cosine(1000))
]
figure = figures.spectrum(patches.eigenvalues, rows, "grace_hopper.jpg, 8 x 8 x 3 patches")
figure.set_label(
    "Eigenvalues of the patches in descending order on logarithmic axes. Only a few lie above the threshold; the "
    "dimension with all eigenvalues is near 10, with the leading one alone it is 192."
)
for row in rows:
    print(f"{row['schedule']:28} d = {row['dimension_full']:.2f}, leading only {row['dimension_leading']:.0f}")
