import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.NoSuchElementException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/** A class under test, its tests, and a main method that runs them. */
public class Main {
    static class Brackets {
        static boolean balanced(String text) {
            Deque<Character> open = new ArrayDeque<>();
            for (char c : text.toCharArray()) {
                int kind = "([{".indexOf(c);
                if (kind >= 0) {
                    open.push(")]}".charAt(kind));
                } else if (")]}".indexOf(c) >= 0 && (open.isEmpty() || open.pop() != c)) {
                    return false;
                }
            }
            return open.isEmpty();
        }
    }

    @TestMethodOrder(MethodOrderer.MethodName.class)
    static class BracketsTest {
        private Deque<Integer> deque;

        @BeforeEach
        void fill() {
            deque = new ArrayDeque<>();
            deque.add(1);
        }

        @ParameterizedTest
        @CsvSource({"(), true", "([{}]), true", "(], false", "((, false", "'', true"})
        void balanced(String text, boolean expected) {
            assertEquals(expected, Brackets.balanced(text));
        }

        @Test
        void emptyDequeThrows() {
            deque.clear();
            assertThrows(NoSuchElementException.class, deque::removeFirst);
        }

        @Test
        void wrongOnPurpose() {
            assertEquals("a", "b", "letters");
        }

        @Nested
        class Inside {
            @Test
            void seesTheOuterState() {
                assertAll(() -> assertEquals(1, deque.size()), () -> assertEquals(1, deque.peek()));
            }
        }
    }

    public static void main(String[] args) {
        SummaryGeneratingListener listener = new SummaryGeneratingListener();
        LauncherFactory.create()
                .execute(
                        LauncherDiscoveryRequestBuilder.request()
                                .selectors(selectClass(BracketsTest.class))
                                .build(),
                        listener);
        var summary = listener.getSummary();
        System.out.println(summary.getTestsFoundCount() + " found, " + summary.getTestsSucceededCount() + " passed, " + summary.getTestsFailedCount() + " failed");
        summary.getFailures().forEach(failure -> System.out.println(failure.getTestIdentifier().getDisplayName() + ": " + failure.getException().getMessage()));
    }
}
