"""What an invitation makes of somebody, in words."""

from auth.permissions import Role

# As … you may …
MAY = {
    Role.READER: "read what is for members",
    Role.AUTHOR: "write and publish posts of your own",
    Role.EDITOR: "write, and change and publish what anybody has written",
    Role.OWNER: "run the site with everything in it",
}
