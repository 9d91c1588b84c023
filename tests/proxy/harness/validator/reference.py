"""Draws the validator's picture from the colours that it compares with."""
import sys

from iiif_validator.validator import ValidationInfo
from PIL import Image

SQUARE = 100

colours = ValidationInfo().colorInfo
picture = Image.new("RGB", (10 * SQUARE, 10 * SQUARE))
for x, column in enumerate(colours):
    for y, colour in enumerate(column):
        left, top = x * SQUARE, y * SQUARE
        picture.paste(colour, (left, top, left + SQUARE, top + SQUARE))
picture.save(sys.argv[1])
