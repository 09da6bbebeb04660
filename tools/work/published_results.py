"""What the paper and others have published on moving MNIST: nats per frame of the future."""

PAPER_NATS = {
    "future_predictor": 350.2,
    "composite": 344.9,
    "conditional_future_predictor": 343.5,
    "conditional_composite": 341.2,
}
"""Table 2, left column, by variant."""

VLN = "VLN (Cricri et al., 2016)"
LATER_NATS = {
    "ConvLSTM (Shi et al., 2015)": 367.2,
    "DFN (De Brabandere et al., 2016)": 285.2,
    VLN: 187.7,
    "Patraucean et al. (2015)": 179.8,
    "VPN baseline (Kalchbrenner et al., 2017)": 110.1,
    "VPN (Kalchbrenner et al., 2017)": 87.6,
    "lower bound: the truth itself": 86.3,
}
"""Later models on the same test."""
