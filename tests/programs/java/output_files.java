import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import javax.imageio.ImageIO;

/** Draws the Mandelbrot set into a PNG, and writes a CSV and a ZIP file beside it. */
public class Files3 {
    static int steps(double re, double im) {
        double x = 0;
        double y = 0;
        int n = 0;
        while (n < 100 && x * x + y * y < 4) {
            double next = x * x - y * y + re;
            y = 2 * x * y + im;
            x = next;
            n++;
        }
        return n;
    }

    public static void main(String[] args) throws IOException {
        Path directory = Files.createDirectories(Path.of("out"));
        BufferedImage image = new BufferedImage(160, 120, BufferedImage.TYPE_INT_RGB);
        int inside = 0;
        for (int y = 0; y < image.getHeight(); y++) {
            for (int x = 0; x < image.getWidth(); x++) {
                int n = steps(x / 160.0 * 3 - 2, y / 120.0 * 2 - 1);
                inside += n == 100 ? 1 : 0;
                image.setRGB(x, y, n == 100 ? 0 : n * 0x030507);
            }
        }
        ImageIO.write(image, "png", directory.resolve("mandelbrot.png").toFile());
        Files.write(directory.resolve("table.csv"), List.of("n,square", "1,1", "2,4"));
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(directory.resolve("all.zip")))) {
            zip.putNextEntry(new ZipEntry("table.csv"));
            zip.write(Files.readAllBytes(directory.resolve("table.csv")));
        }
        BufferedImage again = ImageIO.read(directory.resolve("mandelbrot.png").toFile());
        System.out.println(again.getWidth() + "x" + again.getHeight() + ", " + inside + " inside");
        System.out.println(Files.readString(directory.resolve("table.csv")).lines().count() + " lines");
    }
}
