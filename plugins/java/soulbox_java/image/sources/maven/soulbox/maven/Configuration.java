package soulbox.maven;

import java.io.File;
import java.io.IOException;
import java.net.URI;
import org.apache.maven.settings.Mirror;
import org.apache.maven.settings.Server;
import org.apache.maven.settings.Settings;
import org.apache.maven.settings.building.DefaultSettingsBuilderFactory;
import org.apache.maven.settings.building.DefaultSettingsBuildingRequest;
import org.apache.maven.settings.building.SettingsBuildingException;
import org.eclipse.aether.DefaultRepositorySystemSession;
import org.eclipse.aether.repository.Authentication;
import org.eclipse.aether.repository.Proxy;
import org.eclipse.aether.util.repository.AuthenticationBuilder;
import org.eclipse.aether.util.repository.DefaultAuthenticationSelector;
import org.eclipse.aether.util.repository.DefaultMirrorSelector;
import org.eclipse.aether.util.repository.DefaultProxySelector;

/** How to reach repositories: the user's settings.xml, and the variables that name a proxy. */
final class Configuration {
    private static final String SETTINGS = ".m2/settings.xml";
    private static final int DEFAULT_PROXY_PORT = 80;

    private Configuration() {}

    static void apply(DefaultRepositorySystemSession session) throws IOException {
        Settings settings = settings();
        DefaultMirrorSelector mirrors = new DefaultMirrorSelector();
        for (Mirror mirror : settings.getMirrors()) {
            mirrors.add(
                    mirror.getId(),
                    mirror.getUrl(),
                    mirror.getLayout(),
                    false,
                    mirror.isBlocked(),
                    mirror.getMirrorOf(),
                    mirror.getMirrorOfLayouts());
        }
        session.setMirrorSelector(mirrors);
        DefaultAuthenticationSelector servers = new DefaultAuthenticationSelector();
        for (Server server : settings.getServers()) {
            servers.add(server.getId(), login(server.getUsername(), server.getPassword()));
        }
        session.setAuthenticationSelector(servers);
        DefaultProxySelector proxies = new DefaultProxySelector();
        String variable = System.getenv("HTTPS_PROXY");
        if (variable != null && !variable.isEmpty()) {
            proxies.add(proxy(URI.create(variable)), System.getenv("NO_PROXY"));
        }
        for (org.apache.maven.settings.Proxy proxy : settings.getProxies()) {
            if (proxy.isActive()) {
                Authentication login = login(proxy.getUsername(), proxy.getPassword());
                proxies.add(
                        new Proxy(proxy.getProtocol(), proxy.getHost(), proxy.getPort(), login),
                        proxy.getNonProxyHosts());
            }
        }
        session.setProxySelector(proxies);
    }

    private static Settings settings() throws IOException {
        DefaultSettingsBuildingRequest request = new DefaultSettingsBuildingRequest();
        request.setSystemProperties(System.getProperties());
        request.setUserSettingsFile(new File(System.getProperty("user.home"), SETTINGS));
        try {
            return new DefaultSettingsBuilderFactory()
                    .newInstance()
                    .build(request)
                    .getEffectiveSettings();
        } catch (SettingsBuildingException problem) {
            throw new IOException(problem.getMessage(), problem);
        }
    }

    private static Proxy proxy(URI uri) {
        String[] login = uri.getUserInfo() == null ? null : uri.getUserInfo().split(":", 2);
        return new Proxy(
                uri.getScheme(),
                uri.getHost(),
                uri.getPort() < 0 ? DEFAULT_PROXY_PORT : uri.getPort(),
                login == null ? null : login(login[0], login.length > 1 ? login[1] : ""));
    }

    private static Authentication login(String user, String password) {
        return user == null
                ? null
                : new AuthenticationBuilder().addUsername(user).addPassword(password).build();
    }
}
