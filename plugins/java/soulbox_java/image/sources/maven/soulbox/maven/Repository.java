package soulbox.maven;

import static java.nio.file.Files.createTempDirectory;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.maven.repository.internal.MavenRepositorySystemUtils;
import org.apache.maven.wagon.Wagon;
import org.apache.maven.wagon.providers.http.HttpWagon;
import org.eclipse.aether.DefaultRepositorySystemSession;
import org.eclipse.aether.RepositoryException;
import org.eclipse.aether.RepositorySystem;
import org.eclipse.aether.artifact.Artifact;
import org.eclipse.aether.collection.CollectRequest;
import org.eclipse.aether.connector.basic.BasicRepositoryConnectorFactory;
import org.eclipse.aether.graph.Dependency;
import org.eclipse.aether.impl.DefaultServiceLocator;
import org.eclipse.aether.repository.LocalRepository;
import org.eclipse.aether.repository.RemoteRepository;
import org.eclipse.aether.resolution.ArtifactResult;
import org.eclipse.aether.resolution.DependencyRequest;
import org.eclipse.aether.spi.connector.RepositoryConnectorFactory;
import org.eclipse.aether.spi.connector.transport.TransporterFactory;
import org.eclipse.aether.transport.wagon.WagonProvider;
import org.eclipse.aether.transport.wagon.WagonTransporterFactory;
import org.eclipse.aether.util.artifact.JavaScopes;
import org.eclipse.aether.util.filter.DependencyFilterUtils;

/** Maven's central repository, or what the settings have in its place. */
final class Repository {
    private static final String ID = "central";
    private static final String LAYOUT = "default";
    private static final String URL =
            org.apache.maven.repository.RepositorySystem.DEFAULT_REMOTE_REPO_URL;

    private final RepositorySystem system = system();
    private final DefaultRepositorySystemSession session = MavenRepositorySystemUtils.newSession();
    private final List<RemoteRepository> remotes;

    Repository() throws IOException {
        LocalRepository local = new LocalRepository(createTempDirectory("maven").toFile());
        session.setLocalRepositoryManager(system.newLocalRepositoryManager(session, local));
        session.setSystemProperties(System.getProperties());
        Configuration.apply(session);
        RemoteRepository central = new RemoteRepository.Builder(ID, LAYOUT, URL).build();
        remotes = system.newResolutionRepositories(session, List.of(central));
    }

    /**
     * Fetches artifacts and all that they need when they are used, by Maven's rules for versions.
     *
     * @param managed says which versions to take of what is needed by others
     */
    List<Artifact> resolve(List<Artifact> wanted, List<Artifact> managed)
            throws RepositoryException {
        CollectRequest collect =
                new CollectRequest(dependencies(wanted), dependencies(managed), remotes);
        DependencyRequest request =
                new DependencyRequest(
                        collect,
                        DependencyFilterUtils.classpathFilter(
                                JavaScopes.COMPILE, JavaScopes.RUNTIME));
        List<Artifact> found = new ArrayList<>();
        for (ArtifactResult result :
                system.resolveDependencies(session, request).getArtifactResults()) {
            found.add(result.getArtifact());
        }
        return found;
    }

    private static List<Dependency> dependencies(List<Artifact> artifacts) {
        List<Dependency> dependencies = new ArrayList<>();
        for (Artifact artifact : artifacts) {
            dependencies.add(new Dependency(artifact, JavaScopes.RUNTIME));
        }
        return dependencies;
    }

    // Newer ways to put one together come as libraries that Debian does not have.
    @SuppressWarnings("deprecation")
    private static RepositorySystem system() {
        DefaultServiceLocator locator = MavenRepositorySystemUtils.newServiceLocator();
        locator.addService(RepositoryConnectorFactory.class, BasicRepositoryConnectorFactory.class);
        locator.addService(TransporterFactory.class, WagonTransporterFactory.class);
        locator.setServices(WagonProvider.class, new HttpWagons());
        return locator.getService(RepositorySystem.class);
    }

    private static final class HttpWagons implements WagonProvider {
        @Override
        public Wagon lookup(String scheme) {
            return new HttpWagon();
        }

        @Override
        public void release(Wagon wagon) {
            // Nothing is kept for it.
        }
    }
}
