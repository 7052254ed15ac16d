import com.google.common.base.CaseFormat;
import com.google.common.base.Joiner;
import com.google.common.base.Splitter;
import com.google.common.collect.BiMap;
import com.google.common.collect.HashBiMap;
import com.google.common.collect.ImmutableSortedMap;
import com.google.common.collect.Lists;
import com.google.common.collect.Multimap;
import com.google.common.collect.Range;
import com.google.common.collect.Sets;
import com.google.common.collect.TreeMultimap;
import com.google.common.collect.TreeMultiset;
import com.google.common.hash.Hashing;
import com.google.common.math.IntMath;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import org.apache.commons.collections4.CollectionUtils;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVRecord;
import org.apache.commons.lang3.StringUtils;
import org.apache.commons.lang3.time.DurationFormatUtils;
import org.apache.commons.lang3.tuple.Pair;
import org.apache.commons.text.StringSubstitutor;
import org.apache.commons.text.similarity.LevenshteinDistance;
import org.apache.commons.text.WordUtils;

public class Libraries {
    public static void main(String[] args) throws Exception {
        Multimap<Integer, String> byLength = TreeMultimap.create();
        for (String word : Splitter.on(' ').omitEmptyStrings().split("one two  three four five")) {
            byLength.put(word.length(), word);
        }
        System.out.println(byLength + " " + Joiner.on(";").withKeyValueSeparator("=").join(byLength.asMap()));
        BiMap<String, Integer> codes = HashBiMap.create(ImmutableSortedMap.of("de", 49, "fr", 33));
        System.out.println(codes.inverse().get(33) + " " + TreeMultiset.create(List.of("b", "a", "b")));
        System.out.println(Lists.partition(List.of(1, 2, 3, 4, 5), 2) + " " + Sets.powerSet(Set.of(1)).size());
        System.out.println(Sets.difference(Sets.newTreeSet(List.of(1, 2, 3)), Set.of(2)) + " " + Range.closedOpen(1, 4));
        System.out.println(CaseFormat.LOWER_CAMEL.to(CaseFormat.UPPER_UNDERSCORE, "camelCase") + " " + IntMath.binomial(10, 3));
        System.out.println(Hashing.sha256().hashString("soul", StandardCharsets.UTF_8));

        System.out.println(StringUtils.center("x", 5, '*') + StringUtils.swapCase("aB") + StringUtils.difference("abc", "abd"));
        System.out.println(Pair.of(1, "one") + " " + DurationFormatUtils.formatDurationHMS(3_725_004));
        System.out.println(CollectionUtils.intersection(List.of(1, 2, 3), List.of(2, 3, 4)));
        System.out.println(new StringSubstitutor(java.util.Map.of("who", "World")).replace("Hello, ${who}!"));
        System.out.println(LevenshteinDistance.getDefaultInstance().apply("kitten", "sitting") + " " + WordUtils.capitalize("two words"));
        CSVFormat format = CSVFormat.DEFAULT.builder().setHeader().setSkipHeaderRecord(true).get();
        for (CSVRecord row : format.parse(new StringReader("name,quote\nAnn,\"hi, \"\"you\"\"\"\nBob,\n"))) {
            System.out.println(row.get("name") + ": " + row.get("quote"));
        }
    }
}
