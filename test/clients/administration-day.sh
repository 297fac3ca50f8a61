#!/usr/bin/env bash
# A day of an administrator, using only the README and `lading --help`: an organization with a team, a robot for CI that is
# restricted to a part of it, a refused push and its reason, a token that is revoked during a push, and the audit of all this.
# Needs LADING_DATA of a running registry, REGISTRY (host:port), LADING (the command), an OCI layout IMAGE with the tag v1, and a
# folder WORK.
set -euo pipefail

lading() { "$LADING" "$@"; }
field() { node -e 'let t="";process.stdin.on("data",(d)=>t+=d).on("end",()=>console.log(eval(`JSON.parse(t)${process.argv[1]}`)))' "$1"; }
step() { printf '\n## %s\n' "$1"; }
push() { skopeo copy --quiet --dest-tls-verify=false --dest-creds "$1" "oci:$IMAGE:v1" "docker://$REGISTRY/$2"; }

step 'an organization that nobody sees, with people'
lading org create acme --visibility private
printf %s 'the password of alice' | lading user add alice --password-stdin
printf %s 'the password of bob' | lading user add bob --password-stdin
lading org member add acme alice --role owner
lading org member add acme bob

step 'a team that works on the web part'
lading team create acme/web-team
lading team member add acme/web-team bob
lading grant add acme/web-team writer acme 'web/**'
push 'bob:the password of bob' acme/web/shop:v1
echo 'bob pushed acme/web/shop:v1'

step 'a robot for CI, limited to a glob'
lading robot add acme+ci
lading grant add acme+ci writer acme 'web/**'
made=$(lading token create acme+ci --name pipeline --action pull,push --repository 'acme/web/**' --expires 30d --json)
token_id=$(field '.token.id' <<<"$made")
secret=$(field '.secret' <<<"$made")
push "acme+ci:$secret" acme/web/shop:v2
echo 'acme+ci pushed acme/web/shop:v2'

step 'a push that is refused, and why'
if push "acme+ci:$secret" acme/billing:v1 2>"$WORK/refused.txt"; then
  echo 'the robot pushed where it may not' >&2
  exit 1
fi
grep -o 'the access token of robot acme+ci is limited to repositories other than[^"\\]*' "$WORK/refused.txt" | head -n 1
lading access explain acme+ci push acme/billing || [ $? -eq 1 ]
lading access explain acme+ci push acme/web/shop
lading access who-can push acme 'web/**'

step 'a token that is revoked while a push runs'
uploads="http://$REGISTRY/v2/acme/web/shop/blobs/uploads/"
head -c 1000000 /dev/urandom >"$WORK/layer"
digest=sha256:$(sha256sum "$WORK/layer" | cut -d' ' -f1)
bearer=$(curl -sf -u "acme+ci:$secret" "http://$REGISTRY/v2/token?service=lading&scope=repository:acme/web/shop:pull,push" | field '.token')
session=$(curl -sf -X POST -H "Authorization: Bearer $bearer" -D - -o "$WORK/none" "$uploads" | tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
case $session in /*) session="http://$REGISTRY$session" ;; esac
curl -s --limit-rate 500k -X PATCH -H "Authorization: Bearer $bearer" -H 'Content-Type: application/octet-stream' \
  --data-binary "@$WORK/layer" -o "$WORK/none" "$session" &
sending=$!
lading token revoke "$token_id"
wait "$sending" || true
closing=$(curl -s -X PUT -H "Authorization: Bearer $bearer" -o "$WORK/closing.json" -w '%{http_code}' "$session?digest=$digest")
echo "closing the push with the bearer token from before: $closing"
grep -o '"message":"[^"]*"' "$WORK/closing.json"
if push "acme+ci:$secret" acme/web/shop:v3 2>"$WORK/revoked.txt"; then
  echo 'the revoked token still pushes' >&2
  exit 1
fi
echo 'the revoked token pushes no more'

step 'what the audit says'
lading audit search --target acme/web/shop --action tag.create
lading audit search --actor acme+ci --outcome denied
lading audit search --action access-token.revoke
