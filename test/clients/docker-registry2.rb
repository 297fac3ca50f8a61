# Sends requests like docker_registry2 1.18.2, the Ruby gem with which Dependabot inspects images. The index of gems is
# not available everywhere, but its HTTP library rest-client is a Debian package, so responses are read by the real
# library; the parsing of challenges follows the gem's source (split_auth_header, authenticate_bearer).
#
#     docker-registry2.rb URL USER PATH     the password comes from standard input; no USER is anonymous
#
# Prints the body. Exits with the status when the registry refuses.

require 'json'
require 'rest-client'

base, user, path = ARGV
USER = user.empty? ? nil : user
PASSWORD = USER.nil? ? nil : $stdin.read

ACCEPT = %w[
  application/vnd.docker.distribution.manifest.v2+json
  application/vnd.docker.distribution.manifest.list.v2+json
  application/vnd.oci.image.manifest.v1+json
  application/vnd.oci.image.index.v1+json
  application/json
].join(',')

# rest-client joins the lines of one header with commas. The gem searches the text for names and values of any scheme,
# so the last value of a name counts.
def parameters(challenge)
  challenge.scan(/(\w+)="([^"]+)"/).to_h
end

def get(url, headers = {}, **login)
  RestClient::Request.execute(method: :get, url: url, headers: headers, **login)
end

def token(challenge)
  params = parameters(challenge)
  realm = params.delete('realm')
  params['account'] = USER unless USER.nil?
  reply = JSON.parse(get(realm, { params: params }, user: USER, password: PASSWORD))
  reply['token'] || reply['access_token']
end

def ask(url)
  get(url, { Accept: ACCEPT })
rescue RestClient::Unauthorized => e
  challenge = e.response.headers[:www_authenticate].to_s
  case challenge.downcase.split.first
  when 'basic' then get(url, { Accept: ACCEPT }, user: USER, password: PASSWORD)
  when 'bearer' then get(url, { Accept: ACCEPT, Authorization: "Bearer #{token(challenge)}" })
  else raise
  end
end

begin
  puts ask("#{base}/#{path}").body
rescue RestClient::Exception => e
  abort "#{e.message}: #{e.response}"
end
