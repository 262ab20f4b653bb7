"""Named colours, safe for colour-blind readers (Okabe and Ito); no matplotlib here."""

BLUE, SKY, VERMILION = "#0072B2", "#56B4E9", "#D55E00"
INK = "#222222"
