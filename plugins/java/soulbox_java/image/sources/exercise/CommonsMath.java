package soulbox.exercise;

import java.util.Iterator;
import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.LUDecomposition;
import org.apache.commons.math3.linear.RealMatrix;
import org.apache.commons.math3.stat.descriptive.DescriptiveStatistics;
import org.apache.commons.math3.stat.regression.SimpleRegression;
import org.apache.commons.math3.util.ArithmeticUtils;
import org.apache.commons.math3.util.CombinatoricsUtils;

/** Commons Math's statistics and matrices. */
public class CommonsMath implements Iterator<Object> {
    private final RealMatrix matrix = new Array2DRowRealMatrix(new double[][] {{2, 1}, {1, 3}});
    private int piece;

    @Override
    public boolean hasNext() {
        return piece < 4;
    }

    @Override
    public Object next() {
        return switch (piece++) {
            case 0 -> statistics();
            case 1 -> matrix.multiply(matrix).toString();
            case 2 -> new LUDecomposition(matrix).getSolver().getInverse();
            default -> CombinatoricsUtils.factorial(10) + ArithmeticUtils.gcd(12, 18);
        };
    }

    private static double statistics() {
        DescriptiveStatistics statistics = new DescriptiveStatistics();
        SimpleRegression regression = new SimpleRegression();
        for (int i = 0; i < 10; i++) {
            statistics.addValue(i);
            regression.addData(i, 2 * i + 1);
        }
        return statistics.getMean()
                + statistics.getStandardDeviation()
                + statistics.getPercentile(50)
                + regression.getSlope();
    }
}
