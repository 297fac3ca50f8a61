# Asks a registry as docker_registry2 1.18.2 does, the Ruby gem behind Dependabot's look at images. The index of gems is
# not at hand everywhere, its HTTP library rest-client is a Debian package: what that makes of an answer is the real
# thing, and what the gem reads out of a challenge is written after its source (split_auth_header, authenticate_bearer).
#
#     docker-registry2.rb URL USER PATH     the password comes from standard input; no USER is anonymous
#
# Prints the body. Ends with the status where the registry refuses.

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

# rest-client joins the lines of one name with commas. The gem looks for names and values in that text whatever scheme
# they belong to, so the last value of a name counts.
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
