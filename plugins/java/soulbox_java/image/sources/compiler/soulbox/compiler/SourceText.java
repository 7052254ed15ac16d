package soulbox.compiler;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.Set;
import javax.tools.SimpleJavaFileObject;

/** A source file in memory, by the name that the user gave it. */
final class SourceText extends SimpleJavaFileObject {
    /** Files of these names are not like the others, whatever the name of a class may be. */
    private static final Set<String> SPECIAL = Set.of("module-info", "package-info");

    private final String path;
    private final byte[] content;

    SourceText(String path, byte[] content) {
        super(uri(path), Kind.SOURCE);
        this.path = path;
        this.content = content;
    }

    /** What javac calls the file in its messages. */
    @Override
    public String getName() {
        return path;
    }

    @Override
    public CharBuffer getCharContent(boolean ignoreEncodingErrors) throws CharacterCodingException {
        ByteBuffer bytes = ByteBuffer.wrap(content);
        return ignoreEncodingErrors ? UTF_8.decode(bytes) : UTF_8.newDecoder().decode(bytes);
    }

    /** A public class may have any name, since the file got its name from us, as often as not. */
    @Override
    public boolean isNameCompatible(String simpleName, Kind kind) {
        return kind == Kind.SOURCE
                && (!SPECIAL.contains(simpleName) || super.isNameCompatible(simpleName, kind));
    }

    private static URI uri(String path) {
        try {
            return new URI("source", null, "/" + path, null);
        } catch (URISyntaxException impossible) {
            throw new IllegalArgumentException(impossible);
        }
    }
}
