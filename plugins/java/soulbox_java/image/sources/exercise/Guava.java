package soulbox.exercise;

import com.google.common.base.CharMatcher;
import com.google.common.base.Joiner;
import com.google.common.base.Splitter;
import com.google.common.cache.CacheBuilder;
import com.google.common.collect.ArrayListMultimap;
import com.google.common.collect.HashBasedTable;
import com.google.common.collect.HashBiMap;
import com.google.common.collect.HashMultiset;
import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSet;
import com.google.common.collect.ImmutableSortedMap;
import com.google.common.collect.Iterables;
import com.google.common.collect.Lists;
import com.google.common.collect.Maps;
import com.google.common.collect.Multimap;
import com.google.common.collect.Multiset;
import com.google.common.collect.Ordering;
import com.google.common.collect.Range;
import com.google.common.collect.Sets;
import com.google.common.collect.Table;
import com.google.common.hash.Hashing;
import com.google.common.math.LongMath;
import com.google.common.primitives.Ints;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;

/** Guava's collections, strings, hashes and caches. */
public class Guava implements Iterator<Object> {
    private final ImmutableList<String> list = ImmutableList.of("a", "b", "c");
    private final ImmutableMap<String, Integer> map = ImmutableMap.of("a", 1, "b", 2);
    private int piece;

    @Override
    public boolean hasNext() {
        return piece < 6;
    }

    @Override
    public Object next() {
        return switch (piece++) {
            case 0 -> mutable();
            case 1 -> strings();
            case 2 -> views();
            case 3 ->
                    ImmutableSortedMap.copyOf(map)
                            + Iterables.getLast(list)
                            + Ordering.natural().reverse().sortedCopy(list)
                            + list.stream().collect(ImmutableSet.toImmutableSet());
            case 4 -> CacheBuilder.newBuilder().maximumSize(10).<String, Integer>build().asMap();
            default -> Hashing.sha256().hashString("x", StandardCharsets.UTF_8);
        };
    }

    private String mutable() {
        Multimap<String, Integer> multimap = ArrayListMultimap.create();
        multimap.put("a", 1);
        multimap.put("a", 2);
        Multiset<String> multiset = HashMultiset.create(list);
        Table<String, String, Integer> table = HashBasedTable.create();
        table.put("r", "c", 1);
        return multimap + " " + multimap.asMap() + multiset.entrySet() + table.cellSet();
    }

    private String strings() {
        return Joiner.on(", ").skipNulls().join(list)
                + Splitter.on(',').trimResults().omitEmptyStrings().splitToList("a, b,,c")
                + Joiner.on("&").withKeyValueSeparator("=").join(map)
                + CharMatcher.inRange('0', '9').retainFrom("a1");
    }

    private String views() {
        return Lists.partition(list, 2)
                + Lists.reverse(list).toString()
                + Sets.union(ImmutableSet.of(1), ImmutableSet.of(2))
                + Sets.intersection(ImmutableSet.of(1), ImmutableSet.of(1)).size()
                + Maps.filterValues(map, value -> value > 1)
                + HashBiMap.create(map).inverse()
                + Range.closed(1, 5).contains(3)
                + Ints.asList(1, 2)
                + LongMath.gcd(12, 18);
    }
}
