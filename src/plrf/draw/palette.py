"""Named colours, safe for colour-blind readers (Okabe and Ito); no matplotlib here."""

BLUE, SKY, VERMILION, PURPLE = "#0072B2", "#56B4E9", "#D55E00", "#CC79A7"
INK = "#222222"
