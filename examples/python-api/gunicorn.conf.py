import os

wsgi_app = "app:create_app()"
bind = f"0.0.0.0:{os.environ.get('PORT', '8000')}"
# One process with threads: PostgreSQL does the work.
worker_class = "gthread"
threads = 4
# In memory: the root file system is read-only.
worker_tmp_dir = "/dev/shm"
graceful_timeout = 10
# Nobody asks it: signals are enough.
control_socket_disable = True
