"""What figures and tables of momentum share: colours and names of the algorithms."""

from plrf.draw.palette import BLUE, PURPLE, VERMILION

COLORS = {
    "sgd": "#777777",
    "heavy_ball": PURPLE,
    "dana_constant": BLUE,
    "dana_decaying": VERMILION,
}
LABELS = {
    "sgd": "SGD",
    "heavy_ball": "heavy ball",
    "dana_constant": "DANA-constant",
    "dana_decaying": "DANA-decaying",
}
