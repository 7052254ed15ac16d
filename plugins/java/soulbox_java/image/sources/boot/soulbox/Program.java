package soulbox;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import jdk.internal.misc.MethodFinder;
import jdk.internal.misc.Unsafe;
import jdk.internal.vm.annotation.Hidden;

/**
 * The user's program, started as the java command would start it.
 *
 * <p>Our own methods below its main are hidden from stack traces, which the virtual machine grants
 * to classes of the boot loader, such as ours.
 */
final class Program {
    private static final MethodHandles.Lookup LOOKUP = MethodHandles.lookup();
    private static final MethodType MAIN = MethodType.methodType(void.class, Object.class);
    private static final MethodType MAIN_WITH_ARGS = MAIN.appendParameterTypes(String[].class);
    private static final MethodType NEW = MethodType.methodType(Object.class);

    private Program() {}

    /**
     * Runs a program to the end of its main method.
     *
     * @throws Throwable whatever main throws
     */
    @Hidden
    static void run(Artifact artifact, String[] args) throws Throwable {
        try {
            Class<?> type = artifact.load();
            // Here, and not by the handles below, which would leave more of theirs on the stack.
            Unsafe.getUnsafe().ensureClassInitialized(type);
            start(type, args);
        } catch (Throwable thrown) {
            prepareToReport(thrown);
            throw thrown;
        }
    }

    private static void prepareToReport(Throwable thrown) {
        try {
            Trace.trim(thrown);
            Memory.exhaustIfOut(thrown);
        } catch (Throwable another) {
            // A program's exception may have methods that fail. It is reported as it is.
        }
    }

    @Hidden
    private static void start(Class<?> type, String[] args) throws Throwable {
        Method main = MethodFinder.findMainMethod(type);
        main.setAccessible(true);
        MethodHandle handle = LOOKUP.unreflect(main);
        boolean withArgs = main.getParameterCount() == 1;
        if (Modifier.isStatic(main.getModifiers())) {
            if (withArgs) {
                handle.invokeExact(args);
            } else {
                handle.invokeExact();
            }
            return;
        }
        Constructor<?> constructor = type.getDeclaredConstructor();
        constructor.setAccessible(true);
        Object instance = LOOKUP.unreflectConstructor(constructor).asType(NEW).invokeExact();
        if (withArgs) {
            handle.asType(MAIN_WITH_ARGS).invokeExact(instance, args);
        } else {
            handle.asType(MAIN).invokeExact(instance);
        }
    }
}
