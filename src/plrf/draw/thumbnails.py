"""Small pictures of figures, with few bytes."""

from io import BytesIO

from PIL import Image


def shrink(png: bytes, width: int) -> Image.Image:
    """A figure with fewer pixels.

    Parameters
    ----------
    png : bytes
        Content of a PNG file.
    width : int
        In pixels; the height follows.
    """
    with Image.open(BytesIO(png)) as image:
        height = round(image.height * width / image.width)
        return image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)


def encode(image: Image.Image, colors: int) -> bytes:
    """A picture with so many colours at most, as content of a PNG file.

    Parameters
    ----------
    image : Image
        In RGB.
    colors : int
        From 1 to 256.
    """
    # Thin lines keep their colours: what counts is which colours there are, not how much of each.
    method = Image.Quantize.MAXCOVERAGE
    palette = image.quantize(colors, method=method, kmeans=2, dither=Image.Dither.NONE)
    file = BytesIO()
    palette.save(file, "PNG", optimize=True)
    return file.getvalue()
