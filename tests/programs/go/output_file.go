// Draw the Mandelbrot set and write it as a PNG, with a text file beside it.
package main

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/cmplx"
	"os"
	"path/filepath"
)

func main() {
	const size = 200
	picture := image.NewPaletted(image.Rect(0, 0, size, size), nil)
	for shade := range 64 {
		picture.Palette = append(picture.Palette, color.Gray{uint8(shade * 4)})
	}
	inside := 0
	for y := range size {
		for x := range size {
			c := complex(float64(x)/size*3-2.25, float64(y)/size*3-1.5)
			z, n := complex(0, 0), 0
			for n < 63 && cmplx.Abs(z) < 2 {
				z = z*z + c
				n++
			}
			picture.SetColorIndex(x, y, uint8(n))
			if n == 63 {
				inside++
			}
		}
	}
	if err := os.MkdirAll("out", 0o755); err != nil {
		panic(err)
	}
	file, err := os.Create(filepath.Join("out", "mandelbrot.png"))
	if err != nil {
		panic(err)
	}
	if err := png.Encode(file, picture); err != nil {
		panic(err)
	}
	if err := file.Close(); err != nil {
		panic(err)
	}
	text := fmt.Sprintf("%d of %d points\n", inside, size*size)
	if err := os.WriteFile("out/points.txt", []byte(text), 0o644); err != nil {
		panic(err)
	}
	file, err = os.Open("out/mandelbrot.png")
	if err != nil {
		panic(err)
	}
	config, err := png.DecodeConfig(file)
	fmt.Println(config.Width, config.Height, err)
	fmt.Print(text)
}
