import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;

public class BigNumbers {
    static BigInteger factorial(int n) {
        BigInteger result = BigInteger.ONE;
        for (int i = 2; i <= n; i++) {
            result = result.multiply(BigInteger.valueOf(i));
        }
        return result;
    }

    static BigDecimal pi(int digits) {
        // Machin: pi = 16 arctan(1/5) - 4 arctan(1/239)
        MathContext context = new MathContext(digits + 10);
        return arctan(5, context).multiply(BigDecimal.valueOf(16))
                .subtract(arctan(239, context).multiply(BigDecimal.valueOf(4)))
                .setScale(digits, RoundingMode.DOWN);
    }

    static BigDecimal arctan(int inverse, MathContext context) {
        BigDecimal square = BigDecimal.valueOf((long) inverse * inverse);
        BigDecimal term = BigDecimal.ONE.divide(BigDecimal.valueOf(inverse), context);
        BigDecimal sum = term;
        BigDecimal least = BigDecimal.ONE.movePointLeft(context.getPrecision());
        for (int n = 3; term.compareTo(least) > 0; n += 2) {
            term = term.divide(square, context);
            BigDecimal part = term.divide(BigDecimal.valueOf(n), context);
            sum = n % 4 == 3 ? sum.subtract(part) : sum.add(part);
        }
        return sum;
    }

    public static void main(String[] args) {
        System.out.println(factorial(50));
        System.out.println(factorial(1000).toString().length() + " digits, " + factorial(1000).bitCount() + " ones");
        System.out.println(BigInteger.TWO.pow(127).subtract(BigInteger.ONE).isProbablePrime(30));
        System.out.println(new BigInteger("123456789").modPow(new BigInteger("987654321"), new BigInteger("1000000007")));
        System.out.println(pi(100));
        System.out.println(new BigDecimal("2").sqrt(new MathContext(60)));
        System.out.println(new BigDecimal("10").divide(new BigDecimal("3"), 20, RoundingMode.HALF_EVEN));
        System.out.println(BigInteger.valueOf(600851475143L).gcd(BigInteger.valueOf(6857L * 71)));
    }
}
