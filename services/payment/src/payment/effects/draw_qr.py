"""Draw the QR code of a copia e cola."""

import segno


def draw_qr(pix_copy_paste: str) -> str:
    """A PNG as a data URI, four pixels a module: what the blueprint's `qr_code` holds."""
    return segno.make(pix_copy_paste, error="m", micro=False).png_data_uri(scale=4, border=2)
