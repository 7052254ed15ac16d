"""Draw, filter, crop and convert a picture with Pillow."""

import io

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont, ImageOps, ImageStat

image = Image.new("RGB", (320, 200), "#204060")
draw = ImageDraw.Draw(image)
draw.rectangle((20, 20, 120, 120), fill=(200, 30, 30), outline="white", width=3)
draw.ellipse((150, 40, 290, 180), fill="gold")
draw.line((0, 199, 319, 0), fill="black", width=5)
draw.text((30, 150), "Grüße", font=ImageFont.load_default(20), fill="white")

print(image.size, image.mode, image.getpixel((70, 70)), image.getpixel((220, 60)))
print("box", ImageChops.difference(image, Image.new("RGB", image.size, "#204060")).getbbox())

small = image.resize((64, 40), Image.Resampling.LANCZOS)
gray = ImageOps.grayscale(image)
turned = image.rotate(90, expand=True)
print(small.size, turned.size, gray.mode, turned.getpixel((60, 100)) == image.getpixel((219, 60)))
print(sum(gray.histogram()), ImageStat.Stat(gray).extrema)
blurred = image.filter(ImageFilter.GaussianBlur(3))
print("blurred", ImageStat.Stat(blurred).var[0] < ImageStat.Stat(image).var[0])
print("crop", image.crop((20, 20, 121, 121)).getcolors()[0][0] > 1000)
print(
    "flipped twice", ImageChops.difference(ImageOps.mirror(ImageOps.mirror(image)), image).getbbox()
)

for kind in ("PNG", "JPEG", "GIF", "WEBP", "BMP"):
    buffer = io.BytesIO()
    image.save(buffer, kind)
    again = Image.open(buffer)
    print(kind, again.format, again.size, len(buffer.getvalue()) > 500)

frames = [Image.new("P", (20, 20), color) for color in range(4)]
frames[0].save("moving.gif", save_all=True, append_images=frames[1:], duration=100)
image.save("drawn.png")
