import org.apache.commons.math3.analysis.UnivariateFunction;
import org.apache.commons.math3.analysis.integration.SimpsonIntegrator;
import org.apache.commons.math3.analysis.solvers.BrentSolver;
import org.apache.commons.math3.complex.Complex;
import org.apache.commons.math3.distribution.NormalDistribution;
import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.ArrayRealVector;
import org.apache.commons.math3.linear.EigenDecomposition;
import org.apache.commons.math3.linear.LUDecomposition;
import org.apache.commons.math3.linear.RealMatrix;
import org.apache.commons.math3.stat.descriptive.DescriptiveStatistics;
import org.apache.commons.math3.stat.regression.SimpleRegression;

public class Statistics {
    public static void main(String[] args) {
        double[] values = {2.5, 3.5, 1.0, 7.25, 4.0, 9.5, 6.0};
        DescriptiveStatistics statistics = new DescriptiveStatistics(values);
        System.out.printf("mean %.4f deviation %.4f median %.2f skew %.4f%n", statistics.getMean(), statistics.getStandardDeviation(), statistics.getPercentile(50), statistics.getSkewness());
        SimpleRegression regression = new SimpleRegression();
        for (int i = 0; i < values.length; i++) {
            regression.addData(i, values[i]);
        }
        System.out.printf("y = %.4f x + %.4f, r2 %.4f%n", regression.getSlope(), regression.getIntercept(), regression.getRSquare());
        RealMatrix matrix = new Array2DRowRealMatrix(new double[][] {{4, -2, 1}, {-2, 4, -2}, {1, -2, 4}});
        double[] solution = new LUDecomposition(matrix).getSolver().solve(new ArrayRealVector(new double[] {11, -16, 17})).toArray();
        System.out.printf("%.3f %.3f %.3f%n", solution[0], solution[1], solution[2]);
        for (double eigenvalue : new EigenDecomposition(matrix).getRealEigenvalues()) {
            System.out.printf("%.5f ", eigenvalue);
        }
        System.out.println();
        UnivariateFunction function = x -> Math.cos(x) - x;
        System.out.printf("root %.6f%n", new BrentSolver(1e-10).solve(100, function, 0, 1));
        System.out.printf("integral %.6f%n", new SimpsonIntegrator().integrate(10_000, Math::sin, 0, Math.PI));
        System.out.printf("normal %.6f%n", new NormalDistribution(100, 15).cumulativeProbability(130));
        Complex root = new Complex(-1).sqrt().multiply(new Complex(2, 3));
        System.out.printf("%.1f %+.1fi%n", root.getReal(), root.getImaginary());
    }
}
