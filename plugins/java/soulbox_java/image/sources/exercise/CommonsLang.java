package soulbox.exercise;

import java.util.Iterator;
import org.apache.commons.lang3.ArrayUtils;
import org.apache.commons.lang3.StringUtils;
import org.apache.commons.lang3.builder.ToStringBuilder;
import org.apache.commons.lang3.builder.ToStringStyle;
import org.apache.commons.lang3.math.NumberUtils;
import org.apache.commons.lang3.tuple.Pair;

/** Commons Lang's strings, arrays, pairs and builders. */
public class CommonsLang implements Iterator<Object> {
    private int piece;

    @Override
    public boolean hasNext() {
        return piece < 2;
    }

    @Override
    public Object next() {
        return switch (piece++) {
            case 0 -> strings();
            default ->
                    ArrayUtils.toString(ArrayUtils.add(new int[] {1}, 2))
                            + Pair.of("a", 1)
                            + NumberUtils.toInt("5", 0)
                            + new ToStringBuilder("o", ToStringStyle.SHORT_PREFIX_STYLE)
                                    .append("a", 1);
        };
    }

    private static String strings() {
        return StringUtils.capitalize("word")
                + StringUtils.reverse("abc")
                + StringUtils.leftPad("7", 3, '0')
                + StringUtils.isBlank(" ")
                + StringUtils.join(new String[] {"a", "b"}, ",")
                + StringUtils.substringBetween("a(b)c", "(", ")")
                + StringUtils.countMatches("banana", "an")
                + StringUtils.repeat("x", 2)
                + StringUtils.abbreviate("long text here", 8);
    }
}
