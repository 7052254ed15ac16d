package soulbox.exercise;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.io.PrintWriter;
import java.util.Iterator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/** Tests by JUnit's Jupiter engine, started by its launcher. */
public class JUnit implements Iterator<Object> {
    static class Arithmetic {
        private int two;

        @BeforeEach
        void prepare() {
            two = 2;
        }

        @Test
        void adds() {
            assertEquals(4, two + two);
        }

        @Test
        @DisplayName("divides")
        void divides() {
            assertThrows(ArithmeticException.class, () -> System.out.println(1 / (two - 2)));
        }

        @Test
        void fails() {
            assertEquals(5, two + two, "two and two");
        }
    }

    private final SummaryGeneratingListener summary = new SummaryGeneratingListener();
    private Launcher launcher;
    private int piece;

    @Override
    public boolean hasNext() {
        return piece < 3;
    }

    @Override
    public Object next() {
        switch (piece++) {
            case 0 -> launcher = LauncherFactory.create();
            case 1 ->
                    launcher.execute(
                            LauncherDiscoveryRequestBuilder.request()
                                    .selectors(selectClass(Arithmetic.class))
                                    .build(),
                            summary);
            default -> {
                summary.getSummary().printTo(new PrintWriter(System.out));
                summary.getSummary().printFailuresTo(new PrintWriter(System.out));
            }
        }
        return summary;
    }
}
