package soulbox.compiler;

import com.sun.source.util.JavacTask;
import com.sun.source.util.TaskEvent;
import com.sun.source.util.TaskListener;
import java.util.List;
import java.util.Optional;
import javax.lang.model.element.Element;
import javax.lang.model.element.ExecutableElement;
import javax.lang.model.element.Modifier;
import javax.lang.model.element.TypeElement;
import javax.lang.model.element.VariableElement;
import javax.lang.model.type.ArrayType;
import javax.lang.model.type.DeclaredType;
import javax.lang.model.type.TypeKind;
import javax.lang.model.util.ElementFilter;
import javax.lang.model.util.Elements;

/**
 * Looks for the class to start while javac works: in the entrypoint's file, the first with a main
 * method, or the first public one.
 */
final class MainClass implements TaskListener {
    private final Elements elements;
    private final String entrypoint;
    private String name;
    private boolean isPublic;

    MainClass(JavacTask task, String entrypoint) {
        elements = task.getElements();
        this.entrypoint = entrypoint;
    }

    /** Its binary name. */
    Optional<String> name() {
        return Optional.ofNullable(name);
    }

    /** Is told of each top-level class, in their order in the file. */
    @Override
    public void finished(TaskEvent event) {
        if (event.getKind() == TaskEvent.Kind.ANALYZE
                && event.getSourceFile().getName().equals(entrypoint)) {
            consider(event.getTypeElement());
        }
    }

    private void consider(TypeElement type) {
        boolean better = name == null || !isPublic && type.getModifiers().contains(Modifier.PUBLIC);
        if (better && hasMain(type)) {
            name = elements.getBinaryName(type).toString();
            isPublic = type.getModifiers().contains(Modifier.PUBLIC);
        }
    }

    /** The rules of JLS 12.1.4, as far as they are about one class. */
    private boolean hasMain(TypeElement type) {
        boolean canBeMade = canBeMade(type);
        for (ExecutableElement method : ElementFilter.methodsIn(elements.getAllMembers(type))) {
            if (method.getSimpleName().contentEquals("main")
                    && method.getReturnType().getKind() == TypeKind.VOID
                    && !method.getModifiers().contains(Modifier.PRIVATE)
                    && takesArguments(method.getParameters())
                    && (method.getModifiers().contains(Modifier.STATIC) || canBeMade)) {
                return true;
            }
        }
        return false;
    }

    private static boolean takesArguments(List<? extends VariableElement> parameters) {
        return parameters.isEmpty()
                || parameters.size() == 1
                        && parameters.getFirst().asType() instanceof ArrayType array
                        && array.getComponentType() instanceof DeclaredType component
                        && component.asElement().toString().equals("java.lang.String");
    }

    private static boolean canBeMade(TypeElement type) {
        if (type.getModifiers().contains(Modifier.ABSTRACT)) {
            return false;
        }
        for (Element constructor : ElementFilter.constructorsIn(type.getEnclosedElements())) {
            if (((ExecutableElement) constructor).getParameters().isEmpty()
                    && !constructor.getModifiers().contains(Modifier.PRIVATE)) {
                return true;
            }
        }
        return false;
    }
}
