import com.google.cloud.tools.jib.api.Containerizer;
import com.google.cloud.tools.jib.api.Jib;
import com.google.cloud.tools.jib.api.JibContainer;
import com.google.cloud.tools.jib.api.JibContainerBuilder;
import com.google.cloud.tools.jib.api.RegistryImage;
import com.google.cloud.tools.jib.api.TarImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Drives Jib over plain HTTP. JIB_USER and JIB_PASSWORD are the login, without them it is anonymous.
 *
 * <pre>
 * build IMAGE FILE ...       pushes an image whose layers are the files, one each, on top of nothing
 * extend BASE IMAGE FILE ... pushes BASE with further layers as IMAGE
 * save IMAGE TAR             pulls IMAGE into a tar file
 * </pre>
 *
 * Prints the digest of what it pushed or saved.
 */
public final class JibClient {
  private JibClient() {}

  public static void main(String[] arguments) throws Exception {
    Path caches = Files.createTempDirectory(Path.of("."), "jib-cache");
    JibContainer container =
        switch (arguments[0]) {
          case "build" -> {
            Containerizer target = Containerizer.to(registryImage(arguments[1]));
            yield run(withFiles(Jib.fromScratch(), arguments, 2), target, caches);
          }
          case "extend" -> {
            Containerizer target = Containerizer.to(registryImage(arguments[2]));
            yield run(withFiles(Jib.from(registryImage(arguments[1])), arguments, 3), target, caches);
          }
          case "save" -> {
            TarImage tar = TarImage.at(Path.of(arguments[2])).named("saved:v1");
            yield run(Jib.from(registryImage(arguments[1])), Containerizer.to(tar), caches);
          }
          default -> throw new IllegalArgumentException(arguments[0] + " is neither build, extend nor save");
        };
    System.out.println(container.getDigest());
  }

  private static RegistryImage registryImage(String name) throws Exception {
    RegistryImage image = RegistryImage.named(name);
    String user = System.getenv("JIB_USER");
    return user == null ? image : image.addCredential(user, System.getenv("JIB_PASSWORD"));
  }

  private static JibContainerBuilder withFiles(JibContainerBuilder builder, String[] arguments, int first)
      throws Exception {
    for (int i = first; i < arguments.length; i++) {
      builder.addLayer(List.of(Path.of(arguments[i])), "/app");
    }
    return builder;
  }

  /** Its caches are of this run alone: nothing that an earlier run pulled or pushed is taken from them. */
  private static JibContainer run(JibContainerBuilder builder, Containerizer target, Path caches)
      throws Exception {
    target
        .setAllowInsecureRegistries(true)
        .setBaseImageLayersCache(caches.resolve("base"))
        .setApplicationLayersCache(caches.resolve("application"));
    return builder.containerize(target);
  }
}
